! SPDX-License-Identifier: MIT
!> What the wrapped procedures of api.f90 share: handles, texts, arrays, errors as status and message.
module fennix_api_support
   use, intrinsic :: iso_c_binding, only : c_f_pointer
   use fennix_kinds, only : dp, i8
   use fennix_c_interop, only : to_pointer
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_simulation, only : simulation_type
   implicit none
   private
   public :: text_of, copy_array, replace_array, share_numbers, report, from_handle

contains


!> What a quiet run has to tell its user before it begins, one sentence in a line
function notes_of(sim) result(text)
   type(simulation_type), intent(in) :: sim
   character(len=:), allocatable :: text
   integer :: k

   text = ""
   associate (settings => sim%settings, levels => sim%ladder%levels)
      if (len(settings%ignored_keywords) > 0) text = settings%ignored_keywords // new_line("a")
      do k = 1, size(settings%notes)
         text = text // settings%notes(k)%text // new_line("a")
      end do
      ! A resumed run takes its state from the checkpoint, whatever lies beside it
      if (len(sim%start%note) > 0 .and. .not. settings%resume) text = text // sim%start%note // new_line("a")
      do k = 1, size(levels)
         if (.not. allocated(levels(k)%provider%label)) cycle
         if (abs(settings%total_charge) > 0.0_dp .and. .not. levels(k)%provider%uses_charge) text = text // &
            & "the model " // levels(k)%provider%label // " does not use a total charge; ml-qtot is ignored" // &
            & new_line("a")
      end do
   end associate
end function notes_of


!> One of the texts that text_length names; empty for an unknown name
function text_of(sim, what) result(text)
   use fennix_observables, only : observable_names
   use fennix_host_facts, only : host_text
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: what
   character(len=:), allocatable :: text

   select case (what)
   case ("host")
      text = host_text(sim%domain%comm, sim%settings)
   case ("observables")
      text = ""
      if (allocated(sim%obs%elements)) text = observable_names(sim%obs)
   case ("stop")
      text = ""
      if (allocated(sim%stop_reason)) text = sim%stop_reason
   case ("notes")
      text = notes_of(sim)
   case default
      text = ""
   end select
end function text_of


!> Atomic numbers and masses of the whole system, (n), on all ranks
subroutine share_numbers(sim, numbers, masses)
   use fennix_collect, only : collect_everywhere
   type(simulation_type), intent(in) :: sim
   integer, intent(inout) :: numbers(:)
   real(dp), intent(inout) :: masses(:)
   real(dp), allocatable :: rows(:, :), whole(:, :)

   allocate(rows(3, sim%atoms%n), source=0.0_dp)
   allocate(whole(3, size(numbers)))
   rows(1, :) = sim%atoms%number
   rows(2, :) = sim%atoms%mass
   call collect_everywhere(sim%domain%comm, sim%atoms%id, rows, whole)
   numbers = nint(whole(1, :))
   masses = whole(2, :)
end subroutine share_numbers


!> Copy of an array of the simulation by name, (3, n) in global order on all ranks, which call this together
subroutine copy_array(sim, name, values, error)
   use fennix_collect, only : collect_everywhere
   type(simulation_type), intent(in) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(inout) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error

   associate (comm => sim%domain%comm, id => sim%atoms%id)
      select case (name)
      case ("position")
         call collect_everywhere(comm, id, sim%atoms%position, values)
      case ("velocity")
         call collect_everywhere(comm, id, sim%atoms%velocity, values)
      case ("force")
         call collect_everywhere(comm, id, sim%ladder%levels(1)%forces, values)
      case ("force_fast")
         call collect_everywhere(comm, id, sim%ladder%levels(size(sim%ladder%levels))%forces, values)
      case default
         call fatal_error(error, "there is no array named " // name)
      end select
   end associate
end subroutine copy_array


!> Replace positions or velocities by those of rank 0; forces and observables follow
subroutine replace_array(sim, name, values, error)
   use fennix_collect, only : spread_rows
   use fennix_motion, only : clear_tally
   use fennix_run_state, only : measure
   type(simulation_type), intent(inout) :: sim
   character(len=*), intent(in) :: name
   real(dp), intent(in) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error

   select case (name)
   case ("position")
      call move_atoms(sim, values, error)
   case ("velocity")
      call spread_rows(sim%domain%comm, sim%atoms%id, values, sim%atoms%velocity)
      ! What was tallied at mid-step belongs to the velocities that are gone
      call clear_tally(sim%motion)
   case default
      call fatal_error(error, "there is no array named " // name // " that can be set")
   end select
   if (.not. allocated(error)) call measure(sim)
end subroutine replace_array


!> Put the atoms at (3, n) Å and evaluate all levels; after a failure everything is as it was before, although atoms
!> may be with other ranks
subroutine move_atoms(sim, values, error)
   use fennix_collect, only : collect_rows, spread_rows
   use fennix_ladder, only : evaluate_all
   use fennix_levels, only : total_energy
   type(simulation_type), intent(inout) :: sim
   real(dp), intent(in) :: values(:, :)
   type(error_type), allocatable, intent(out) :: error
   real(dp), allocatable :: position(:, :), forces(:, :, :), rows(:, :), energy(:), virial(:, :, :)
   integer :: k, n

   n = size(sim%ladder%levels)
   allocate(energy(n), virial(3, 3, n))
   associate (comm => sim%domain%comm)
      call collect_rows(comm, sim%atoms%id, sim%atoms%position, position)
      allocate(forces(3, size(position, 2), n))
      do k = 1, n
         call collect_rows(comm, sim%atoms%id, sim%ladder%levels(k)%forces, rows)
         forces(:, :, k) = rows
         energy(k) = total_energy(sim%ladder%levels(k), sim%domain)
         virial(:, :, k) = sim%ladder%levels(k)%virial
      end do
      call spread_rows(comm, sim%atoms%id, values, sim%atoms%position)
      call evaluate_all(sim%ladder, sim%domain, sim%atoms, sim%cell, sim%motion, sim%timer, error)
      if (.not. allocated(error)) then
         sim%spoilt = .false.
         return
      end if
      ! Pair lists stay: they are built anew when the atoms are no longer where they were built
      call spread_rows(comm, sim%atoms%id, position, sim%atoms%position)
      do k = 1, n
         if (size(sim%ladder%levels(k)%forces, 2) /= sim%atoms%n) then
            deallocate(sim%ladder%levels(k)%forces)
            allocate(sim%ladder%levels(k)%forces(3, sim%atoms%n))
         end if
         call spread_rows(comm, sim%atoms%id, forces(:, :, k), sim%ladder%levels(k)%forces)
         sim%ladder%levels(k)%energy = energy(k)
         sim%ladder%levels(k)%energy_is_total = .true.
         sim%ladder%levels(k)%virial = virial(:, :, k)
      end do
   end associate
end subroutine move_atoms


!> Error value to status and text
subroutine report(error, stat, message)
   type(error_type), allocatable, intent(in) :: error
   integer, intent(out) :: stat
   character(len=*), intent(out) :: message
   integer :: length

   stat = 0
   message = ""
   if (.not. allocated(error)) return
   stat = 1
   length = min(len(error%message), len(message))
   if (length < len(error%message)) then
      ! A character of several bytes must not be cut in two: 10xxxxxx continues one
      do while (iand(iachar(error%message(length + 1:length + 1)), 192) == 128)
         length = length - 1
      end do
   end if
   message = error%message(:length)
end subroutine report


!> The simulation behind a handle
function from_handle(handle) result(sim)
   integer(i8), intent(in) :: handle
   type(simulation_type), pointer :: sim

   call c_f_pointer(to_pointer(handle), sim)
end function from_handle

end module fennix_api_support
