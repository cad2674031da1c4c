! SPDX-License-Identifier: MIT
!> The settings as a row of bytes, for the ranks that do not read the keyfile.
module fennix_share_settings
   use fennix_pipe, only : pass, pass_fixed, pipe_type
   use fennix_settings, only : settings_type
   implicit none
   private
   public :: pass_settings

contains


!> Every component of the settings, in their order: into the row of a writer, out of that of a reader
subroutine pass_settings(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   !> Whole only if the pipe is not exhausted afterwards
   type(settings_type), intent(inout) :: settings

   call pass_job(pipe, settings)
   call pass_dynamics(pipe, settings)
   call pass_models(pipe, settings)
   call pass_structure(pipe, settings)
   call pass_output(pipe, settings)
end subroutine pass_settings


!> What the run is and which files it reads
subroutine pass_job(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings

   call pass(pipe, settings%job)
   call pass(pipe, settings%name)
   call pass(pipe, settings%structure_file)
   call pass(pipe, settings%key_file)
   call pass(pipe, settings%key_text)
   call pass(pipe, settings%rerun_file)
   call pass(pipe, settings%resume)
   call pass(pipe, settings%embedded)
   call pass(pipe, settings%ignored_keywords)
   call pass(pipe, settings%notes)
end subroutine pass_job


!> Steps, intervals, integrator and thermostat
subroutine pass_dynamics(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings

   call pass(pipe, settings%n_steps)
   call pass(pipe, settings%dt)
   call pass(pipe, settings%n_substeps)
   call pass(pipe, settings%dump_every)
   call pass(pipe, settings%print_every)
   call pass(pipe, settings%checkpoint_every)
   call pass(pipe, settings%max_hours)

   call pass(pipe, settings%integrator)
   call pass(pipe, settings%ensemble)
   call pass(pipe, settings%two_level)
   call pass(pipe, settings%langevin)
   call pass(pipe, settings%temperature)
   call pass(pipe, settings%initial_temperature)
   call pass(pipe, settings%pressure)
   call pass(pipe, settings%friction)
   call pass(pipe, settings%remove_inertia)
   call pass(pipe, settings%seed)
   call pass(pipe, settings%seed_given)
   call pass(pipe, settings%heavy_hydrogen)
end subroutine pass_dynamics


!> Models, device and what is done to their forces
subroutine pass_models(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings

   call pass(pipe, settings%model_accurate)
   call pass(pipe, settings%model_fast)
   call pass(pipe, settings%place_accurate)
   call pass(pipe, settings%place_fast)
   call pass(pipe, settings%device)
   call pass(pipe, settings%precision)
   call pass(pipe, settings%threads)
   call pass(pipe, settings%total_charge)
   call pass(pipe, settings%force_cap)
   call pass(pipe, settings%skin)
end subroutine pass_models


!> What the keyfile adds to the structure file: the box and the elements
subroutine pass_structure(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings

   call pass_fixed(pipe, settings%decomposition)
   call pass(pipe, settings%place_decomposition)
   call pass(pipe, settings%halo)
   call pass(pipe, settings%box_given)
   call pass_fixed(pipe, settings%box_lengths)
   call pass_fixed(pipe, settings%box_angles)
   call pass(pipe, settings%box_origin)

   call pass(pipe, settings%element_name)
   call pass(pipe, settings%element_number)
end subroutine pass_structure


!> Minimisation and what is written
subroutine pass_output(pipe, settings)
   type(pipe_type), intent(inout) :: pipe
   type(settings_type), intent(inout) :: settings

   call pass(pipe, settings%minimize)
   call pass(pipe, settings%minimize_rms)
   call pass(pipe, settings%minimize_steps)

   call pass(pipe, settings%archive)
   call pass(pipe, settings%h5md)
   call pass(pipe, settings%save_velocity)
   call pass(pipe, settings%save_force)
   call pass(pipe, settings%harvest_force)
   call pass(pipe, settings%harvest_max)
   call pass(pipe, settings%restart_files)
   call pass(pipe, settings%digits)
   call pass(pipe, settings%verbose)
end subroutine pass_output

end module fennix_share_settings
