! SPDX-License-Identifier: MIT
!> One job of the executable, from a built system to its last file.
module fennix_driver
   use, intrinsic :: iso_fortran_env, only : output_unit
   use fennix_error, only : error_type, fatal_error
   use fennix_comm, only : comm_type
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_settings, only : job_check, job_minimize, job_rerun, settings_type
   use fennix_system, only : start_type
   use fennix_domain, only : settle
   use fennix_jobs, only : check_only, minimize_only, rerun
   use fennix_python_host, only : start_host
   use fennix_seam, only : frame_sink_record, provider_record
   use fennix_version, only : version
   use fennix_devices, only : describe_devices
   use fennix_host_facts, only : host_text
   use fennix_log, only : log_header
   use fennix_simulation, only : finish, new_simulation, prepare, run, set_frame_sink, set_provider, simulation_type
   implicit none
   private
   public :: drive

contains


!> Load the models and do what the command line asks for; after it, all ranks have an error or none has
subroutine drive(comm, settings, cell, atoms, start, error)
   type(comm_type), intent(in) :: comm
   type(settings_type), intent(in) :: settings
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   type(start_type), intent(in) :: start
   type(error_type), allocatable, intent(out) :: error
   type(simulation_type) :: simulation

   call new_simulation(simulation, comm, settings, cell, atoms, start, output_unit, .false.)
   call log_header(simulation%log, settings, version, start%note)
   call load_models(simulation, error)
   call settle(simulation%domain, error)
   if (allocated(error)) return
   call describe_devices(simulation)
   select case (settings%job)
   case (job_minimize)
      call minimize_only(simulation, error)
   case (job_check)
      call check_only(simulation, error)
   case (job_rerun)
      call rerun(simulation, error)
   case default
      call prepare(simulation, error)
      if (allocated(error)) return
      call run(simulation, simulation%last_step - simulation%step, error)
      if (.not. allocated(error)) call finish(simulation, error)
   end select
end subroutine drive


!> Start Python and take its models
subroutine load_models(simulation, error)
   type(simulation_type), intent(inout) :: simulation
   type(error_type), allocatable, intent(out) :: error
   type(provider_record), allocatable :: providers(:)
   type(frame_sink_record) :: sinks(2)
   integer :: k

   call start_host(host_text(simulation%domain%comm, simulation%settings), providers, sinks, error)
   if (allocated(error)) return
   if (size(providers) /= size(simulation%ladder%levels)) then
      call fatal_error(error, "the Python side gave another number of models than this run has levels")
      return
   end if
   do k = 1, size(providers)
      call set_provider(simulation, k, providers(k), error)
      if (allocated(error)) return
   end do
   do k = 1, 2
      call set_frame_sink(simulation, k, sinks(k))
   end do
end subroutine load_models

end module fennix_driver
