! SPDX-License-Identifier: MIT
!> The flat surface that f90wrap wraps; pyfennix/simulation.py puts the pleasant face on it.
!>
!> A simulation lives on the heap and is known by its address (handle), so that nothing is kept in this module.
!> Everything crosses as a copy. Errors come back as stat /= 0 and one sentence in message.
!> f90wrap reads this file as text: plain arguments only, explicit shapes, no optional, no allocatable.
module fennix_api
   use, intrinsic :: iso_c_binding, only : c_f_pointer, c_loc, c_sizeof
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type
   use fennix_c_interop, only : to_address, to_pointer
   use fennix_api_support, only : copy_array, from_handle, replace_array, report, text_of
   use fennix_simulation, only : simulation_type
   implicit none
   private
   public :: create, create_from_arrays, destroy, set_provider, set_frame_sink, share_failure
   public :: prepare, run, checkpoint, finish
   public :: counters, text_length, text_codes, get_array, set_array, get_numbers, get_cell
   public :: get_energies, get_observables, get_time, get_virial, seam_layout

contains


!> A simulation from a command line (words separated by newlines) and, if key_given, lines of a keyfile, which go
!> before those of the file after -k. Files are named after output; when it is empty none is written.
!> comm_handle: communicator of the ranks, which all call this; -1 = this process alone. What rank 0 is given counts.
subroutine create(words, key_text, key_given, output, comm_handle, handle, stat, message)
   use fennix_creation, only : create_from_files
   character(len=*), intent(in) :: words
   character(len=*), intent(in) :: key_text
   integer, intent(in) :: key_given
   character(len=*), intent(in) :: output
   integer, intent(in) :: comm_handle
   integer(i8), intent(out) :: handle
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error

   call create_from_files(words, key_text, key_given /= 0, output, comm_handle, handle, error)
   call report(error, stat, message)
end subroutine create


!> A simulation of atoms given as arrays (Å, Å/ps, g/mol; cell vectors as columns), zero masses are standard ones;
!> comm_handle as of create
subroutine create_from_arrays(words, key_text, output, n, numbers, positions, velocities, has_velocities, masses, &
      & vectors, periodic, comm_handle, handle, stat, message)
   use fennix_creation, only : create_from_atoms
   character(len=*), intent(in) :: words
   character(len=*), intent(in) :: key_text
   character(len=*), intent(in) :: output
   integer, intent(in) :: n
   integer, intent(in) :: numbers(n)
   real(dp), intent(in) :: positions(3, n)
   real(dp), intent(in) :: velocities(3, n)
   integer, intent(in) :: has_velocities
   real(dp), intent(in) :: masses(n)
   real(dp), intent(in) :: vectors(3, 3)
   integer, intent(in) :: periodic
   integer, intent(in) :: comm_handle
   integer(i8), intent(out) :: handle
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error

   call create_from_atoms(words, key_text, output, numbers, positions, velocities, has_velocities /= 0, masses, &
      & vectors, periodic /= 0, comm_handle, handle, error)
   call report(error, stat, message)
end subroutine create_from_arrays


!> Forget a simulation; its handle is dead afterwards
subroutine destroy(handle)
   integer(i8), intent(in) :: handle
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   deallocate(sim)
end subroutine destroy


!> Hand over the force provider of a level (1 accurate, 2 fast) by the address of its provider_record
subroutine set_provider(handle, level, address, stat, message)
   use fennix_domain, only : settle
   use fennix_seam, only : provider_record
   use fennix_simulation, only : give_provider => set_provider
   integer(i8), intent(in) :: handle
   integer, intent(in) :: level
   integer(i8), intent(in) :: address
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim
   type(provider_record), pointer :: record

   sim => from_handle(handle)
   call c_f_pointer(to_pointer(address), record)
   call give_provider(sim, level, record, error)
   call settle(sim%domain, error)
   call report(error, stat, message)
end subroutine set_provider


!> Hand over a consumer of frames (1 for NAME.h5, 2 for NAME.holes.h5) by the address of its frame_sink_record
subroutine set_frame_sink(handle, which, address)
   use fennix_seam, only : frame_sink_record
   use fennix_simulation, only : give_sink => set_frame_sink
   integer(i8), intent(in) :: handle
   integer, intent(in) :: which
   integer(i8), intent(in) :: address
   type(simulation_type), pointer :: sim
   type(frame_sink_record), pointer :: record

   sim => from_handle(handle)
   call c_f_pointer(to_pointer(address), record)
   call give_sink(sim, which, record)
end subroutine set_frame_sink


!> Tell all ranks what failed on this one (empty: nothing), so that all know or none does; all call this together
subroutine share_failure(handle, words, stat, message)
   use fennix_domain, only : settle
   use fennix_error, only : fatal_error
   integer(i8), intent(in) :: handle
   character(len=*), intent(in) :: words
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   if (len_trim(words) > 0) call fatal_error(error, words)
   call settle(sim%domain, error)
   call report(error, stat, message)
end subroutine share_failure


!> Velocities, pair lists, first forces, output files
subroutine prepare(handle, stat, message)
   use fennix_simulation, only : prepare_it => prepare
   integer(i8), intent(in) :: handle
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call prepare_it(sim, error)
   call report(error, stat, message)
end subroutine prepare


!> Take outer steps; a signal ends them after a whole step (text "stop")
subroutine run(handle, n_steps, stat, message)
   use fennix_signals, only : install_signals, restore_signals
   use fennix_simulation, only : run_it => run
   integer(i8), intent(in) :: handle
   integer(i8), intent(in) :: n_steps
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call install_signals()
   call run_it(sim, n_steps, error)
   call restore_signals()
   call report(error, stat, message)
end subroutine run


!> Restart files as of now, if there are any; the run can go on
subroutine checkpoint(handle, stat, message)
   use fennix_outputs, only : save_restart
   integer(i8), intent(in) :: handle
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call save_restart(sim, error)
   call report(error, stat, message)
end subroutine checkpoint


!> Last restart files, files closed, communicators given back; all ranks call this together
subroutine finish(handle, stat, message)
   use fennix_comm, only : close_comm
   use fennix_simulation, only : finish_it => finish
   integer(i8), intent(in) :: handle
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call finish_it(sim, error)
   call close_comm(sim%domain%comm)
   call report(error, stat, message)
end subroutine finish


!> Number of atoms, outer step, inner step, degrees of freedom, periodic (0 or 1), number of observables
subroutine counters(handle, values)
   use fennix_observables, only : observable_values
   integer(i8), intent(in) :: handle
   integer(i8), intent(out) :: values(6)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   values = [int(sim%domain%n_global, i8), sim%step, sim%motion%inner_step, int(sim%obs%degrees_of_freedom, i8), &
      & merge(1_i8, 0_i8, sim%cell%periodic), 0_i8]
   if (allocated(sim%obs%elements)) values(6) = size(observable_values(sim%obs), kind=i8)
end subroutine counters


!> Length in bytes of a text: "host" (settings for pyfennix.host), "observables" (name=unit lines), "stop", "notes"
subroutine text_length(handle, what, length)
   integer(i8), intent(in) :: handle
   character(len=*), intent(in) :: what
   integer, intent(out) :: length
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   length = len(text_of(sim, what))
end subroutine text_length


!> The bytes of a text, as many as text_length says
subroutine text_codes(handle, what, n, codes)
   integer(i8), intent(in) :: handle
   character(len=*), intent(in) :: what
   integer, intent(in) :: n
   integer, intent(out) :: codes(n)
   type(simulation_type), pointer :: sim
   character(len=:), allocatable :: text
   integer :: i

   sim => from_handle(handle)
   text = text_of(sim, what)
   codes = [(iachar(text(i:i)), i=1, n)]
end subroutine text_codes


!> Copy of "position", "velocity", "force", "force_fast" (3, n)
subroutine get_array(handle, name, n, values, stat, message)
   integer(i8), intent(in) :: handle
   character(len=*), intent(in) :: name
   integer, intent(in) :: n
   real(dp), intent(inout) :: values(3, n)
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call copy_array(sim, name, values, error)
   call report(error, stat, message)
end subroutine get_array


!> Replace "position" or "velocity" (3, n); forces follow
subroutine set_array(handle, name, n, values, stat, message)
   integer(i8), intent(in) :: handle
   character(len=*), intent(in) :: name
   integer, intent(in) :: n
   real(dp), intent(in) :: values(3, n)
   integer, intent(out) :: stat
   character(len=1024), intent(out) :: message
   type(error_type), allocatable :: error
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call replace_array(sim, name, values, error)
   call report(error, stat, message)
end subroutine set_array


!> Atomic numbers, and masses in g/mol; all ranks call this together
subroutine get_numbers(handle, n, numbers, masses)
   use fennix_api_support, only : share_numbers
   integer(i8), intent(in) :: handle
   integer, intent(in) :: n
   integer, intent(inout) :: numbers(n)
   real(dp), intent(inout) :: masses(n)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   call share_numbers(sim, numbers, masses)
end subroutine get_numbers


!> Lattice vectors as columns, Å; zero for an isolated system
subroutine get_cell(handle, vectors)
   integer(i8), intent(in) :: handle
   real(dp), intent(inout) :: vectors(3, 3)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   vectors = sim%cell%vectors
end subroutine get_cell


!> Observables in the order of their names
subroutine get_observables(handle, n, values)
   use fennix_observables, only : observable_values
   integer(i8), intent(in) :: handle
   integer, intent(in) :: n
   real(dp), intent(inout) :: values(n)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   values = observable_values(sim%obs)
end subroutine get_observables


!> Potential energy at the last forces of the accurate and of the fast level (the same with one), kcal/mol
subroutine get_energies(handle, values)
   use fennix_levels, only : total_energy
   integer(i8), intent(in) :: handle
   real(dp), intent(inout) :: values(2)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   values(1) = total_energy(sim%ladder%levels(1), sim%domain)
   values(2) = total_energy(sim%ladder%levels(size(sim%ladder%levels)), sim%domain)
end subroutine get_energies


!> Simulated time, ps
subroutine get_time(handle, time)
   use fennix_run_state, only : run_time
   integer(i8), intent(in) :: handle
   real(dp), intent(out) :: time
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   time = run_time(sim)
end subroutine get_time


!> +dE/dstrain of the accurate model, kcal/mol
subroutine get_virial(handle, virial)
   integer(i8), intent(in) :: handle
   real(dp), intent(inout) :: virial(3, 3)
   type(simulation_type), pointer :: sim

   sim => from_handle(handle)
   virial = sim%obs%virial
end subroutine get_virial


!> Size and offset of the last member of every struct of the seam, in the order of pyfennix/seam.py
subroutine seam_layout(values)
   use fennix_seam, only : force_request, force_result, frame_header, frame_record, frame_sink_record, &
      & provider_record, summary_record
   integer(i8), intent(out) :: values(14)
   type(force_request), target :: request
   type(force_result), target :: result
   type(provider_record), target :: provider
   type(frame_record), target :: frame
   type(frame_header), target :: header
   type(frame_sink_record), target :: sink
   type(summary_record), target :: summary

   values(1::2) = int([c_sizeof(request), c_sizeof(result), c_sizeof(provider), c_sizeof(frame), c_sizeof(header), &
      & c_sizeof(sink), c_sizeof(summary)], i8)
   values(2) = to_address(c_loc(request%exchange_context)) - to_address(c_loc(request))
   values(4) = to_address(c_loc(result%spread)) - to_address(c_loc(result))
   values(6) = to_address(c_loc(provider%center_range)) - to_address(c_loc(provider))
   values(8) = to_address(c_loc(frame%difference)) - to_address(c_loc(frame))
   values(10) = to_address(c_loc(header%start_step)) - to_address(c_loc(header))
   values(12) = to_address(c_loc(sink%summary)) - to_address(c_loc(sink))
   values(14) = to_address(c_loc(summary%counts)) - to_address(c_loc(summary))
end subroutine seam_layout


end module fennix_api
